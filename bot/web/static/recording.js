// The microphone: one recording, from its first second to a file.

const BITS = 32000; // a second; enough for speech, and small

export class Recording {
  /** Once the microphone is on. Fails where there is none, or where it is not allowed. */
  static async begin() {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    return new Recording(stream);
  }

  constructor(stream) {
    this.stream = stream;
    this.begun = Date.now();
    this.parts = [];
    this.recorder = new MediaRecorder(stream, { audioBitsPerSecond: BITS });
    this.recorder.ondataavailable = (event) => this.parts.push(event.data);
    this.recorder.start();
  }

  get seconds() {
    return Math.floor((Date.now() - this.begun) / 1000);
  }

  /** Switch the microphone off; what was said until now. */
  async finish() {
    const stopped = new Promise((resolve) => this.recorder.addEventListener("stop", resolve));
    this.recorder.stop();
    await stopped;
    for (const track of this.stream.getTracks()) track.stop();
    return new Blob(this.parts, { type: this.recorder.mimeType });
  }
}

export function clockOf(seconds) {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
