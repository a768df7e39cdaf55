package migratecheck

import (
	"runtime"

	"git.sr.ht/~sourcehut/ha-go/internal/pgast"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/source"
)

// parsed is the outcome of parsing one text of a script.
type parsed struct {
	stmts []pgast.Stmt
	errs  []error
}

// fileTrees are the parsed texts of one migration.
type fileTrees struct{ up, down []parsed }

// trees parses the files of a set ahead of the walk that consumes them in order: parsing is most of the work and needs
// no order, applying is the rest and does. A bounded number of files is parsed ahead, so that memory does not grow with
// the history.
type trees struct {
	set   *source.Set
	ready []chan fileTrees
	slots chan struct{} // one for each file parsed ahead and not yet taken
	done  chan struct{}
	next  chan int
}

// parseAhead starts parsing, in the order given; stop must be called. down says for which files the Down section is wanted.
func parseAhead(set *source.Set, order []int, down func(file int) bool) *trees {
	workers := runtime.GOMAXPROCS(0)
	t := &trees{set: set, slots: make(chan struct{}, 16*workers), done: make(chan struct{}), next: make(chan int)}
	for range set.Migrations {
		t.ready = append(t.ready, make(chan fileTrees, 1))
	}
	go func() {
		defer close(t.next)
		for _, i := range order {
			select {
			case t.slots <- struct{}{}:
			case <-t.done:
				return
			}
			select {
			case t.next <- i:
			case <-t.done:
				return
			}
		}
	}()
	for range workers {
		go func() {
			for i := range t.next {
				m := &set.Migrations[i]
				var parser pgast.Parser // not kept for the next file, which may live longer
				ft := fileTrees{up: parseScript(&parser, &m.Up)}
				if m.HasDown && down(i) {
					ft.down = parseScript(&parser, &m.Down)
				}
				t.ready[i] <- ft
			}
		}()
	}
	return t
}

// of waits for the trees of one file. Each file can be asked for once, in order.
func (t *trees) of(file int) fileTrees {
	ft := <-t.ready[file]
	<-t.slots
	return ft
}

// stop ends the parsing ahead; the goroutines end with the file they are at.
func (t *trees) stop() { close(t.done) }

func parseScript(parser *pgast.Parser, script *source.Script) []parsed {
	list := make([]parsed, len(script.Statements))
	for i := range script.Statements {
		list[i].stmts, list[i].errs = parser.ParseEach(script.Statements[i].SQL)
	}
	return list
}
