/** Checks the values that users hand in, with errors that name the field. */

/** Returns a key or a value that can be written. Text is UTF-8. */
export function octets(field: string, value: unknown): string | Uint8Array | null {
  if (value === null || typeof value === 'string' || value instanceof Uint8Array) {
    return value;
  }
  throw new TypeError(
    `the ${field} is ${kindOf(value)}: it has to be a string, a Uint8Array or null`,
  );
}

/** Returns the bytes of such a value. */
export function bytesOf(field: string, value: unknown): Uint8Array | null {
  const content = octets(field, value);
  return typeof content === 'string' ? Buffer.from(content) : content;
}

/** Returns a time in milliseconds since 1970. */
export function milliseconds(field: string, value: unknown): number {
  const time = value instanceof Date ? value.getTime() : value;
  if (typeof time !== 'number') {
    throw new TypeError(
      `the ${field} is ${kindOf(value)}: it has to be a Date, or milliseconds since 1970`,
    );
  }
  if (!Number.isSafeInteger(time)) {
    throw new RangeError(`the ${field} is ${time}: it has to be a whole number of milliseconds`);
  }
  return time;
}

/** Names the type of a value, for errors. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) {
    return String(value);
  }
  if (typeof value !== 'object') {
    return `a ${typeof value}`;
  }
  const name: unknown = Object.getPrototypeOf(value)?.constructor?.name;
  return typeof name === 'string' && name !== 'Object' ? `a value of class ${name}` : 'an object';
}
