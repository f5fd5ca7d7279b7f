// Browsers start no workers for pages that are opened as files. Then this class takes the
// place of Worker, so that the search works: it runs the worker's script in a hidden frame.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super()
      this.frame = document.createElement("iframe")
      this.frame.hidden = true
      document.body.append(this.frame)
      const inside = this.frame.contentWindow
      const load = (address) =>
        new Promise((resolve, reject) => {
          const script = inside.document.createElement("script")
          script.src = address
          script.onload = resolve
          script.onerror = reject
          inside.document.head.append(script)
        })
      inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }))
      inside.importScripts = (...addresses) => Promise.all(addresses.map(load))
      this.started = load(new URL(url, location.href))
    }

    postMessage(data) {
      this.started.then(() => this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data })))
    }

    terminate() {
      this.frame.remove()
    }
  }
}
