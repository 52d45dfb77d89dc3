const docs = new URL("../../../../docs/", import.meta.url);

/** The accepted table, for machines and for people. */
export const committed = {
  json: new URL("bypass-matrix.json", docs),
  page: new URL("bypass-matrix.md", docs),
};
