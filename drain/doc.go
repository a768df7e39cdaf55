// Package drain takes a process out of service without losing what it is doing: the lifecycle of one process, with nothing
// but the standard library.
//
//	func main() {
//		srv := &http.Server{Addr: ":8080", Handler: routes(), ReadHeaderTimeout: 10 * time.Second}
//		if err := drain.Main(context.Background(), drain.Config{}, httpdrain.Server(srv)); err != nil {
//			log.Fatal(err)
//		}
//	}
//
// # States
//
// A process is starting, then ready. Told to stop it becomes a lame duck: it still serves everything, and tells whoever asks
// that it is about to leave, so that balancers and clients go elsewhere by themselves. Then it drains: nothing new is taken, phases run
// in order, and what is in flight finishes, until it has stopped or the deadline cuts it.
//
//	starting → ready → lame duck → draining → stopped
//
// # Pieces
//
// A [Drainer] is that lifecycle alone, without signals and listeners, for programs that have a main of their own. [Main] is a
// Drainer with signals around it. What serves is a [Service]: HTTP servers are in the package httpdrain below this one; SMTP, LMTP, ssh
// and gRPC servers and job queues fit by [Serving], [Stopping] and [Joining].
//
// Adapters attach themselves to a Drainer ([Attacher]): they report what is open ([Drainer.Report]), say which balancer has been told
// the state ([Drainer.Told]), make the lame duck wait ([Drainer.Hold]), or watch ([Drainer.Observe]).
//
// # How long the lame duck lasts
//
// At least [Config.LameDuck]. Then until each balancer has been told often enough to act on it, and every hold has let go
// (package httpdrain holds until requests have gone quiet), at most [Config.LameDuckMax] in all. A process whose state nobody asks for
// waits for no balancer.
package drain
