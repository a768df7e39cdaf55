// Package haproxy is the balancer's side of a drain: a client of HAProxy's runtime API, and Rollout, which restarts the servers
// of a backend one after the other without a request lost.
//
//	lb := &haproxy.Client{Address: "/run/haproxy/admin.sock"}
//	err := lb.SetState(ctx, haproxy.Server{Backend: "web", Name: "node1"}, haproxy.Drain)
//
// The socket is a line in HAProxy's configuration, section global:
//
//	stats socket /run/haproxy/admin.sock mode 660 level admin
//
// # What a state means
//
// HAProxy knows three administrative states of a server: Ready, Drain (what is there goes on, and sticky clients still come; nothing
// new is sent otherwise) and Maint (nothing at all, health checks stop). A server with an agent-check hears two voices, and the last
// one to speak wins: each "ready" from the agent cancels the Drain that an operator has set, within agent-inter (configuration manual
// 2.6, section 5.2, agent-check; shown by TestAgentUndoesAnOperatorsDrain). Whoever drains by the runtime API must silence the agent
// first, by SetAgent. Rollout does.
//
// # Rollouts
//
// A Rollout is planned from what the balancers say (Observe, Plan: nothing is changed, and the plan prints itself), run by a journal (Run), and
// after a crash or a failure resumed (Resume) or taken back (Undo). Report says at any time where each server is. The steps of a
// server:
//
//	drain      see that MinUp others are up, silence its agents, send nothing new to it
//	empty      wait until nothing is on it, or the time is up
//	deploy     call Deploy
//	see up     wait until its health checks are good, and have been for UpFor
//	put back   make it ready, let its agents speak, wait until it is up
//
// A HAProxy that is reloaded on the way must keep what it knows (server-state-file, load-server-state-from-file): one that forgets sends to a
// drained server again. Before Deploy that is noticed, and stops the rollout.
//
// Sessions of a worker that a reload has left behind are not seen here: the runtime API is the new worker's.
//
// What is said here of HAProxy is tested against version 2.6.
package haproxy
