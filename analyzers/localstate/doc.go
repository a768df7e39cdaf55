// Package localstate finds state that a handler keeps on its node.
//
// # Analyzer localstate
//
// localstate: find state that handlers keep on one node, where a second node would disagree
//
// Nodes can only come and go behind a load balancer when a request may reach any of them. What a handler keeps in memory, or in files of
// its node, makes the answer depend on which node is asked, and is gone after every deploy; a load balancer that
// sends each client to the same node hides the first and not the second.
//
// What is a handler: http.HandlerFunc and ServeHTTP (gin, echo, fiber, fasthttp and httprouter too), gqlgen's resolvers, gRPC methods, go-smtp's Session, jobs
// of dowork, gocelery, river and asynq; and the functions of the same package that they call, up to three calls away.
//
// # handler-state
//
// A map, a slice or a sync.Map that lives as long as the process (a package variable, a field of what the handlers are methods of, a variable
// around a handler's literal) is filled on behalf of a handler and read by another function that works for one.
//
//	var jobs = map[int]*Job{}
//
//	func start(w http.ResponseWriter, r *http.Request)  { jobs[id] = job }         // reported
//	func cancel(w http.ResponseWriter, r *http.Request) { jobs[id].Cancel() }      // on another node: no such job
//
// Keep it in the database, or in Redis. A cache is no state, and is silent: what is written after a read that missed, by
// LoadOrStore, or under a name that says so.
//
// # local-sessions
//
// A session store that is one node's: gorilla's FilesystemStore, scs with its default store, memstore packages, fiber's sessions without a
// Storage; a cookie store whose key securecookie.GenerateRandomKey makes when the program starts; a map of sessions that a
// handler fills. Users are logged out at every deploy, and by every second request once there are two nodes.
//
// Store sessions in the database or in Redis, or in cookies signed with a key from the configuration.
//
// # local-rate-limit
//
// Requests are counted in memory: a map of golang.org/x/time/rate limiters that a handler fills, httprate without a LimitCounter, tollbooth,
// the memory stores of ulule/limiter, go-limiter, echo and fiber. Two nodes allow twice as much, and whoever is blocked is free after a deploy.
// Where that is harmless, suppress it with a comment that says so.
//
// # local-file
//
// A handler makes a file or a directory that stays on its node: os.Create, os.WriteFile, os.OpenFile with O_CREATE, os.Mkdir,
// os.Rename and their like, directly or in an exported function of another package of the module. Files in temporary directories, files that the same
// function removes, and names of caches, logs, locks and sockets are silent, and so are jobs.
//
// Store it in the database or in an object store. Where the file system is shared, or the program owns its disk on purpose (git repositories),
// say so with //srhtvet:ignore local-file and a reason.
//
// # stale-socket
//
// net.Listen on a unix socket, at the same path each time, in a package that never removes the file. The net package unlinks it
// when the listener is closed (UnixListener.SetUnlinkOnClose), which SIGKILL, the kernel's out-of-memory killer and a power cut do not wait
// for; bind then fails with EADDRINUSE (unix(7)), and the service does not come back by itself.
//
// Dial the socket first; when nobody answers, remove it. Or let systemd make it.
//
// # What it does not see
//
// State in a type of another package, single values (a flag, a pointer), and what is read and written by one function only. Maps of
// channels, functions, connections, streams and clients, which no other node could use. Caches that other nodes do not know to be stale.
// Collections that are emptied somewhere: buffers, on their way elsewhere. Counters that only count (m[k]++). Libraries other than those named,
// and a memory store that is made in a branch. Paths that are wholly a parameter of the function. Sockets whose network is not a constant,
// and those whose path is a field that another package fills, unless the name of its type says that it holds settings (Config, Options, Listener, Server).
package localstate
