/** Whether a run comes to its end. */
export function survives(running: Promise<unknown>): Promise<boolean> {
  return running.then(
    () => true,
    () => false,
  );
}
