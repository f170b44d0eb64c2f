// Whether the streams that a page listens to are there.

class Connection {
  #lost = $state<string[]>([]);

  /** Whether something that is shown may be old. */
  get lost(): boolean {
    return this.#lost.length > 0;
  }

  up(url: string): void {
    if (this.#lost.includes(url)) this.#lost = this.#lost.filter((each) => each !== url);
  }

  down(url: string): void {
    if (!this.#lost.includes(url)) this.#lost = [...this.#lost, url];
  }

  gone(url: string): void {
    this.up(url);
  }
}

export const connection = new Connection();
