export { type Bootstrap, parseBootstrap, readBootstrap } from "./agent/bootstrap.ts";
export {
  type CancelRequest,
  type CancelServer,
  type CancelServerOptions,
  createCancelServer,
} from "./agent/cancel-server.ts";
export {
  type BallotChoice,
  commitWith,
  evaluateWith,
  everyoneEvaluated,
  majorityCommitter,
  type MajorityCommitterOptions,
  majorityVoter,
  type Opinion,
  voteWith,
  type VotingOptions,
} from "./agent/decision-strategies.ts";
export {
  createDispatcher,
  type Dispatcher,
  type Handlers,
  type Received,
} from "./agent/dispatcher.ts";
export { type BootstrappedAgent, type Connection, openBootstrap } from "./agent/open-bootstrap.ts";
export {
  createParticipant,
  type Participant,
  type ParticipantContext,
  type ParticipantOptions,
  type Strategy,
} from "./agent/participant.ts";
export { type PolledMessage, pollMessages, type PollOptions } from "./agent/poll-messages.ts";
