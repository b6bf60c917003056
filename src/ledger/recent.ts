/**
 * Remembers what was asked for lately, in bounded room. Two generations: when the young one is full
 * it becomes the old one, and what is asked for again moves over. A hit in the young one costs one
 * lookup, unlike a list kept in order of use.
 */
export class Recent<K, V> {
  private readonly size: number
  private young = new Map<K, V>()
  private old = new Map<K, V>()

  /** @param size how many are surely remembered; at most twice as many are */
  constructor(size: number) {
    this.size = size
  }

  get(key: K): V | undefined {
    const young = this.young.get(key)
    if (young !== undefined) return young
    const old = this.old.get(key)
    if (old !== undefined) this.set(key, old)
    return old
  }

  set(key: K, value: V): void {
    if (this.young.size >= this.size) {
      this.old = this.young
      this.young = new Map()
    }
    this.young.set(key, value)
  }
}
