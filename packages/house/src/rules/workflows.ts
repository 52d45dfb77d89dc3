import type { Rule } from "../repository.ts";

const pinned = /^(\.\/.*|[\w.-]+(\/[\w.-]+)+@[0-9a-f]{40} # v\d+(\.\d+)*)$/;
const secrets = /\bsecrets\.(?!GITHUB_TOKEN\b)/;

/** Actions are pinned by commit, and no workflow needs a stored secret: releases use OIDC. */
export const workflows: Rule = (files) =>
  files
    .filter(({ path }) => /^\.github\/(workflows|actions)\/.*\.ya?ml$/.test(path))
    .flatMap(({ path, text }) =>
      text.split("\n").flatMap((line, index) => {
        const used = /^\s*(?:-\s+)?uses:\s*(.+?)\s*$/.exec(line)?.[1];
        const at = `${path}:${index + 1}`;
        return [
          ...(used === undefined || pinned.test(used) ? [] : [`${at}: ${used} is not pinned`]),
          ...(secrets.test(line) ? [`${at}: uses a stored secret`] : []),
        ];
      }),
    );
