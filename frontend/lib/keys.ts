// Keys of the whole page: a table of what they do, which leaves alone whoever is typing.

/** Gives a listener for `keydown`; it says whether the key was one of the table's. */
export function keyTable(keys: Record<string, () => void>): (event: KeyboardEvent) => boolean {
  return (event) => {
    const act = keys[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey || isTaken(event)) return false;
    event.preventDefault();
    act();
    return true;
  };
}

/** Fields take every key, buttons and links the space bar. */
function isTaken({ key, target }: KeyboardEvent): boolean {
  const takers = key === " " ? "input, select, textarea, dialog, button, a, summary" : "input, select, textarea, dialog";
  return target instanceof Element && target.closest(takers) !== null;
}
