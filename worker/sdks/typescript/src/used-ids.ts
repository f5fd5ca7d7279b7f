/** The ids of all batches. Those that follow one another take no memory. */
export class UsedIds {
  /** All up to this one were used, other than 0. */
  #last = 0n;
  readonly #others = new Set<bigint>();

  /** Reports whether an id is new. */
  add(id: bigint): boolean {
    if ((id >= 1n && id <= this.#last) || this.#others.has(id)) {
      return false;
    }
    this.#others.add(id);
    while (this.#others.delete(this.#last + 1n)) {
      this.#last++;
    }
    return true;
  }
}
