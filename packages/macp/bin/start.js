import module from "node:module";

// A signal that comes while the program loads ends it as one that comes later does.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(0));

// Checked before anything else is loaded: an older Node.js fails on what comes next, with a stack instead of a reason.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major > 22 || (major === 22 && minor >= 19)) await start();
else refuse(`Node.js 22.19 or newer is needed, this is ${process.versions.node}`);

async function start() {
  quiet();
  module.enableCompileCache?.();
  // A checkout runs its source; Node.js strips no types inside node_modules, where only the build is.
  const installed = import.meta.url.includes("/node_modules/");
  try {
    await import(installed ? "../dist/runtime/main.js" : "../src/runtime/main.ts");
  } catch (error) {
    if (error?.code !== "ERR_MODULE_NOT_FOUND") throw error;
    refuse(`${error.message.split("\n")[0]}: install the dependencies first`);
  }
}

/** @param {string} reason */
function refuse(reason) {
  process.stderr.write(`Error: ${reason}\n`);
  process.exitCode = 1;
}

/** SQLite and type stripping announce themselves as experimental on some of the Node.js versions that have them. */
function quiet() {
  const emit = process.emitWarning;
  process.emitWarning = (warning, ...rest) => {
    const [options] = rest;
    const type = typeof options === "string" ? options : options?.type;
    if (type !== "ExperimentalWarning") emit.call(process, warning, ...rest);
  };
}
