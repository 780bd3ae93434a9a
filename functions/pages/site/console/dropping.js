// What a person drops: files, and all files in folders.

/**
 * The files of a drop, as `{ file, handle }`. A handle, where the browser has them, opens the same
 * file again after a reload. Must be called while the event is handled: later its items are gone.
 */
export async function dropped(transfer) {
  const items = [...transfer.items].filter((item) => item.kind === "file");
  const found = items.map(async (item) => {
    const [entry, file] = [item.webkitGetAsEntry(), item.getAsFile()];
    const handle = item.getAsFileSystemHandle?.();
    if (entry?.isDirectory) return (await inside(entry)).map((each) => ({ file: each }));
    return [{ file, handle: (await handle?.catch(() => null)) ?? undefined }];
  });
  return (await Promise.all(found)).flat();
}

async function inside(folder) {
  const reader = folder.createReader();
  const found = [];
  for (let some; !some || some.length;) {
    some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    for (const entry of some) {
      if (entry.isDirectory) found.push(...(await inside(entry)));
      else found.push(await new Promise((resolve, reject) => entry.file(resolve, reject)));
    }
  }
  return found;
}
