// A group whose members come and go: which partitions each owns, and how often each message was handled.
const { until } = require("./walk.js");

const PARTITIONS = 6;

class Crew {
  #owned = new Map(); // member -> its partitions, an array or a set
  #handled = new Map(); // value -> times
  #wait;

  /** A member owns these partitions, and no others; `changed` must be called if they change. */
  owns(member, partitions) {
    this.#owned.set(member, partitions);
    this.changed();
  }

  changed() {
    this.#wait?.check();
  }

  leaves(member) {
    this.#owned.delete(member);
  }

  handles(value) {
    this.#handled.set(value, (this.#handled.get(value) ?? 0) + 1);
    this.changed();
  }

  /** Values that were not handled exactly once. */
  notHandledOnce() {
    return [...this.#handled].filter(([, times]) => times !== 1).map(([value]) => value);
  }

  /** Resolves once there are so many members with so many partitions, and each partition has one owner. */
  async #shared(...counts) {
    await this.#reached(() => {
      const owned = [...this.#owned.values()].map((partitions) => [...partitions]);
      const sizes = owned.map((partitions) => partitions.length).sort();
      return `${sizes}` === `${counts}` && new Set(owned.flat()).size === PARTITIONS;
    });
  }

  async #reached(condition) {
    this.#wait = until(condition);
    await this.#wait.done;
  }

  /**
   * Three members join one after another, and leave. `join(name)` resolves to what leaves, `send(messages)` sends to the
   * topic, and `look()` sees the group while all three are there.
   */
  async comeAndGo({ join, send, look }) {
    let sent = 0;
    const work = async () => {
      await send(Array.from({ length: 60 }, () => ({ partition: sent % PARTITIONS, value: `${sent++}` })));
      await this.#reached(() => this.#handled.size === sent);
    };
    const aLeaves = await join("a");
    await this.#shared(6);
    await work();
    const bLeaves = await join("b");
    await this.#shared(3, 3);
    await work();
    const cLeaves = await join("c");
    await this.#shared(2, 2, 2);
    await work();

    await look();

    await aLeaves();
    await this.#shared(3, 3);
    await work();
    await bLeaves();
    await this.#shared(6);
    await work();
    await cLeaves();
  }
}

module.exports = { Crew, PARTITIONS };
