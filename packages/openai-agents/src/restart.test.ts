import { restartSuite } from "@agentkeys/testing/framework-suite";

restartSuite(new URL("../test/life.ts", import.meta.url));
