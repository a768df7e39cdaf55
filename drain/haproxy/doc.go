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
// Sessions of a worker that a reload has left behind are not seen here: the runtime API is the new worker's.
//
// What is said here of HAProxy is tested against version 2.6.
package haproxy
