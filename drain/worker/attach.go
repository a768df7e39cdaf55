package worker

import "git.sr.ht/~sourcehut/ha-go/drain"

// Attach makes the worker part of a process: its gate is shut when the lame duck begins, and the drain reports the jobs. drain.Main calls it.
func (w *Worker) Attach(d *drain.Drainer) error {
	d.Report(w)
	d.Observe(w)
	return nil
}

// Observe implements drain.Observer.
func (w *Worker) Observe(p drain.Progress) {
	if p.State >= drain.LameDuck {
		w.LameDuck()
	}
}

// Open implements drain.Reporter: the jobs that run.
func (w *Worker) Open() []drain.Open {
	running := w.Status().Running
	open := drain.Open{Kind: "job", Count: len(running)}
	if len(running) > 0 {
		open.Oldest, open.What = running[0].Since, running[0].Job.Name+" "+running[0].Job.ID
	}
	return []drain.Open{open}
}

// String is what the worker is called in errors.
func (w *Worker) String() string { return "worker" }
