// The far end of a socket, for tests: stands in for the browser's WebSocket, and says and does what it is told.

export class FarEnd {
  static all: FarEnd[] = [];
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  isClosed = false;

  constructor(readonly address: string) {
    FarEnd.all.push(this);
  }

  close() {
    this.isClosed = true;
  }

  says(frame: object | string) {
    this.onmessage?.({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
  }

  breaks(code = 1006, reason = "") {
    this.onclose?.({ code, reason });
  }
}

/** Of the newest attempt to connect. */
export function lastEnd(): FarEnd {
  return FarEnd.all.at(-1)!;
}
