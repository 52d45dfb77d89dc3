/** In every engine of the floor, but only in the library types of ES2024. */
interface Text {
  isWellFormed(): boolean;
  toWellFormed(): string;
}

/** Whether there is no half of a character in it: no digest has one and no message carries it. */
export function isWellFormed(text: string): boolean {
  return (text as unknown as Text).isWellFormed();
}

/** U+FFFD in the place of each half of a character. */
export function toWellFormed(text: string): string {
  return (text as unknown as Text).toWellFormed();
}
