/**
 * Gives on, at the end of a turn of the event loop, all that arrived in it: requests from many connections are answered together,
 * and their records share a sync.
 */
export function createArrivals<T>(take: (item: T) => void): (item: T) => void {
  let waiting: T[] = [];
  const takeAll = (): void => {
    const arrived = waiting;
    waiting = [];
    for (const item of arrived) take(item);
  };
  return (item) => {
    if (waiting.push(item) === 1) setImmediate(takeAll);
  };
}
