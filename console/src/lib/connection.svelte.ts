// Whether the streams that a page listens to are there.

/** Milliseconds for which a stream may be gone before somebody is told: servers are started anew, and nobody minds. */
const CALM = 4_000;

class Connection {
  #open = $state.raw<symbol[]>([]);
  #lost = $state.raw<symbol[]>([]);
  #long = $state(false);
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** How often the server has come back. */
  returns = $state(0);

  /** Whether something that is shown may be old. */
  get lost(): boolean {
    return this.#lost.length > 0;
  }

  /** Whether that has been so for a while. */
  get gone(): boolean {
    return this.lost && this.#long;
  }

  /** Whether what is shown changes by itself. */
  get live(): boolean {
    return !this.lost && this.#open.length > 0;
  }

  up(stream: symbol): void {
    if (!this.#open.includes(stream)) this.#open = [...this.#open, stream];
    if (this.#lost.includes(stream)) {
      this.#found(stream);
      if (!this.lost) this.returns += 1;
    }
  }

  down(stream: symbol): void {
    this.#open = this.#open.filter((each) => each !== stream);
    if (this.#lost.includes(stream)) return;
    this.#lost = [...this.#lost, stream];
    this.#timer ??= setTimeout(() => (this.#long = true), CALM);
  }

  /** Nobody listens to it any more. */
  over(stream: symbol): void {
    this.#open = this.#open.filter((each) => each !== stream);
    this.#found(stream);
  }

  #found(stream: symbol): void {
    this.#lost = this.#lost.filter((each) => each !== stream);
    if (this.lost) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#long = false;
  }
}

export const connection = new Connection();
