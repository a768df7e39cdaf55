// Package listen takes ports in ways that let a process be replaced without a refused connection: from systemd, which keeps them open
// between two processes ([Activation]), or shared by SO_REUSEPORT, so that the new process is ready before the old one leaves
// ([Config.Shared]). A port that is taken is an error that names who has it ([TakenError]).
//
// # What Linux does when one of several listeners leaves
//
// Linux spreads new connections over the listeners of a port by a hash, and a connection belongs to its listener from the SYN on. Those
// that have not been accepted when it closes are reset, although another listener is there (unless the sysctl net.ipv4.tcp_migrate_req
// is 1, Linux 5.14; ip-sysctl in the kernel's documentation). TestOverlap shows it. Therefore Close of a listener of this package
//
//   - has Linux give new connections to the other listener, if it is shared with one other (SO_ATTACH_REUSEPORT_CBPF, socket(7));
//   - goes on accepting until none has come for [Config.Settle];
//   - closes it then, and Accept returns net.ErrClosed.
//
// Handshakes that take longer than Settle are lost all the same; systemd's sockets, which nobody closes, lose none.
package listen
