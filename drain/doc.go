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
// A process is starting, then ready. Told to stop it becomes a lame duck: it still serves everything, and tells whoever asks
// that it is about to leave, so that balancers and clients go elsewhere by themselves. Then it drains: services are shut down in order, and
// what is in flight finishes, until it has stopped or the deadline cuts it.
//
// A [Drainer] is that lifecycle alone, without signals and listeners, for programs that have a main of their own. [Main] is a Drainer
// with signals around it. HTTP servers are in the package httpdrain below this one; anything else with Serve and Shutdown fits as it is.
package drain
