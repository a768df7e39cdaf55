// Command lintbench times `srhtvet lint` over a long history, and squawk (when its command is on PATH or named by
// SQUAWK) over the same files in the same run: wall time, CPU time and peak memory of the whole process. The two run in
// pairs, one right after the other and each first in turn, and are compared pair by pair, since other work on the machine
// slows down both. It prints what it measured and judges nothing.
//
// npm's squawk command is a script that starts node, which starts squawk; the program itself is timed.
//
//	go run ./internal/lintbench [-files 1000] [-runs 7] [-seed 1] [-keep DIR]
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"time"
)

// sample is one run of one program.
type sample struct {
	wall, cpu time.Duration
	peakKiB   int64
}

// program is a linter to be timed.
type program struct {
	name string
	args []string
	runs []sample
}

func main() {
	log.SetFlags(0)
	files := flag.Int("files", 1000, "migration files for lint")
	sites := flag.Int("sites", 300, "query sites of the service for compat")
	history := flag.Int("history", 50, "migrations of the service for compat")
	runs := flag.Int("runs", 7, "pairs of runs")
	seed := flag.Uint64("seed", 1, "seed of the corpus")
	keep := flag.String("keep", "", "write the corpus, of lint, here and keep it")
	flag.Parse()
	if err := run(*files, *sites, *history, *runs, *seed, *keep); err != nil {
		log.Fatal(err)
	}
}

func run(files, sites, history, runs int, seed uint64, keep string) error {
	tmp, err := os.MkdirTemp("", "lintbench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	tool := filepath.Join(tmp, "srhtvet")
	build := exec.Command("go", "build", "-o", tool, "./cmd/srhtvet")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("building srhtvet: %w", err)
	}
	dir := keep
	if dir == "" {
		dir = filepath.Join(tmp, "migrations")
	}
	if err := timeLint(tool, dir, files, runs, seed); err != nil {
		return err
	}
	return timeCompat(tool, filepath.Join(tmp, "service"), sites, history, runs, seed)
}

// timeCompat times the matrix on a service, after one run that is not counted.
func timeCompat(tool, dir string, sites, history, runs int, seed uint64) error {
	if err := writeService(dir, sites, history, seed); err != nil {
		return err
	}
	p := &program{name: "srhtvet compat", args: []string{tool, "compat", "-q", "-format", "json", dir}}
	for i := range runs + 1 {
		s, err := p.once()
		if err != nil {
			return err
		}
		if i > 0 {
			p.runs = append(p.runs, s)
		}
	}
	fmt.Printf("\n%d query sites, %d migrations, 2 pending, seed %d, %d runs after a first one, %d CPUs\n", sites, history, seed, runs, runtime.NumCPU())
	p.print()
	return nil
}

func timeLint(tool, dir string, files, runs int, seed uint64) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	statements, err := writeCorpus(dir, files, seed)
	if err != nil {
		return err
	}
	programs := []*program{{name: "srhtvet lint -all", args: []string{tool, "lint", "-q", "-all", "-format", "json", dir}}}
	if squawk := findSquawk(); squawk != "" {
		paths, err := filepath.Glob(filepath.Join(dir, "*.sql"))
		if err != nil {
			return err
		}
		programs = append(programs, &program{name: "squawk", args: append([]string{squawk, "--reporter", "json"}, paths...)})
	} else {
		fmt.Println("squawk is not installed (npm install squawk-cli, or SQUAWK=its path): timing srhtvet alone")
	}
	order := slices.Clone(programs)
	for range runs {
		for _, p := range order {
			s, err := p.once()
			if err != nil {
				return err
			}
			p.runs = append(p.runs, s)
		}
		slices.Reverse(order)
	}
	fmt.Printf("%d files, %d statements, seed %d, %d runs each, %d CPUs\n", files, statements, seed, runs, runtime.NumCPU())
	for _, p := range programs {
		p.print()
	}
	if len(programs) == 2 {
		fmt.Printf("srhtvet / squawk, median of the pairs (least to most): wall time %s, CPU time %s\n",
			ratios(programs[0], programs[1], func(s sample) time.Duration { return s.wall }),
			ratios(programs[0], programs[1], func(s sample) time.Duration { return s.cpu }))
	}
	return nil
}

// ratios compares two programs pair by pair.
func ratios(a, b *program, of func(sample) time.Duration) string {
	var list []float64
	for i := range a.runs {
		list = append(list, float64(of(a.runs[i]))/float64(of(b.runs[i])))
	}
	slices.Sort(list)
	return fmt.Sprintf("%.2f (%.2f to %.2f)", list[len(list)/2], list[0], list[len(list)-1])
}

// print says what a program took.
func (p *program) print() {
	wall := p.sorted(func(s sample) int64 { return s.wall.Milliseconds() })
	cpu := p.sorted(func(s sample) int64 { return s.cpu.Milliseconds() })
	peak := p.sorted(func(s sample) int64 { return s.peakKiB })
	fmt.Printf("%-20s wall min/median/max %s, CPU %s, peak memory %d MiB\n", p.name, spread(wall), spread(cpu), peak[len(peak)-1]/1024)
}

func findSquawk() string {
	if path := os.Getenv("SQUAWK"); path != "" {
		return path
	}
	path, err := exec.LookPath("squawk")
	if err != nil {
		return ""
	}
	if script, err := filepath.EvalSymlinks(path); err == nil {
		// node_modules/squawk-cli/js/bin/squawk starts node_modules/@squawk-cli/PLATFORM/bin/squawk.
		native, err := filepath.Glob(filepath.Join(filepath.Dir(script), "../../../@squawk-cli/*/bin/squawk"))
		if err == nil && len(native) == 1 {
			return native[0]
		}
	}
	return path
}

// once runs the program; exit status 1, findings, is as good as 0.
func (p *program) once() (sample, error) {
	cmd := exec.Command(p.args[0], p.args[1:]...)
	start := time.Now()
	err := cmd.Run()
	wall := time.Since(start)
	if err != nil && (cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 1) {
		return sample{}, fmt.Errorf("running %s: %w", p.name, err)
	}
	s := sample{wall: wall, cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		s.peakKiB = usage.Maxrss
	}
	return s, nil
}

func (p *program) sorted(of func(sample) int64) []int64 {
	var list []int64
	for _, s := range p.runs {
		list = append(list, of(s))
	}
	slices.Sort(list)
	return list
}

func spread(sorted []int64) string {
	return fmt.Sprintf("%d / %d / %d ms", sorted[0], sorted[len(sorted)/2], sorted[len(sorted)-1])
}
