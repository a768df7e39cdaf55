// Command vetbench measures what the analyzers of srhtvet add to go vet on a module: it is a vettool that has go vet's own
// analyzers and ours, and runs go vet on the module with and without itself, in pairs, each first in turn. What is built is in the go command's cache; what was vetted is not. It prints wall and CPU time of the whole go
// command, with all processes that it starts, and judges nothing.
//
//	go run ./internal/vetbench [-runs 5] [-dir .] [PACKAGES]
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/tools/go/analysis/suite/vet"
	"golang.org/x/tools/go/analysis/unitchecker"

	"git.sr.ht/~sourcehut/ha-go/analyzers"
)

// with is the name under which the program is a vettool, plain stands for go vet's own.
const (
	plain = "go-vet"
	with  = "vet-with"
)

// sample is one run.
type sample struct{ wall, cpu time.Duration }

func main() {
	if filepath.Base(os.Args[0]) == with {
		unitchecker.Main(slices.Concat(vet.Suite, analyzers.Suite())...)
	}
	log.SetFlags(0)
	runs := flag.Int("runs", 5, "pairs of runs")
	dir := flag.String("dir", ".", "the module's directory")
	flag.Parse()
	packages := flag.Args()
	if len(packages) == 0 {
		packages = []string{"./..."}
	}
	if err := run(*runs, *dir, packages); err != nil {
		log.Fatal(err)
	}
}

func run(runs int, dir string, packages []string) error {
	tmp, err := os.MkdirTemp("", "vetbench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	self, err := os.Executable()
	if err != nil {
		return err
	}
	tool := filepath.Join(tmp, with)
	if err := os.Symlink(self, tool); err != nil {
		return err
	}
	samples := map[string][]sample{}
	for i := range runs + 1 {
		order := []string{plain, with}
		if i%2 == 1 {
			slices.Reverse(order)
		}
		for _, name := range order {
			args := []string{"vet", fmt.Sprintf("-printf.funcs=bench_%d_%d", os.Getpid(), i)}
			if name == with {
				args = append(args, "-vettool="+tool)
			}
			s, err := goVet(dir, append(args, packages...))
			if err != nil {
				return err
			}
			if i > 0 { // the first one builds
				samples[name] = append(samples[name], s)
			}
		}
	}
	count, err := exec.Command("go", append([]string{"-C", dir, "list"}, packages...)...).Output()
	if err != nil {
		return fmt.Errorf("listing packages: %w", err)
	}
	fmt.Printf("go vet of %d packages in %s, %d pairs of runs, median\n", strings.Count(string(count), "\n"), dir, runs)
	fmt.Printf("%-34s %9s %9s\n", "", "wall", "CPU")
	for _, row := range []struct{ name, title string }{{plain, "go vet's analyzers"}, {with, "go vet's and srhtvet's"}} {
		fmt.Printf("%-34s %8.2fs %8.2fs\n", row.title, median(samples[row.name], wall).Seconds(), median(samples[row.name], cpu).Seconds())
	}
	fmt.Printf("%-34s %8.0f%% %8.0f%%\n", "added (median of the pairs)", 100*added(samples, wall), 100*added(samples, cpu))
	return nil
}

func wall(s sample) time.Duration { return s.wall }
func cpu(s sample) time.Duration  { return s.cpu }

func median(list []sample, of func(sample) time.Duration) time.Duration {
	var d []time.Duration
	for _, s := range list {
		d = append(d, of(s))
	}
	slices.Sort(d)
	return d[len(d)/2]
}

func added(samples map[string][]sample, of func(sample) time.Duration) float64 {
	var ratios []float64
	for i, s := range samples[with] {
		ratios = append(ratios, float64(of(s))/float64(of(samples[plain][i]))-1)
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}

// goVet runs go vet. A name that printf is to know makes the go command ask the tool again, whatever it said of the same
// packages before. Findings are not of interest.
func goVet(dir string, args []string) (sample, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	began := time.Now()
	out, err := cmd.CombinedOutput()
	took := time.Since(began)
	if cmd.ProcessState == nil {
		return sample{}, fmt.Errorf("starting go vet: %w", err)
	}
	if strings.Contains(string(out), "flag provided but not defined") {
		return sample{}, fmt.Errorf("go vet: %s", out)
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return sample{}, fmt.Errorf("no resource usage of %v", args)
	}
	return sample{took, time.Duration(usage.Utime.Nano() + usage.Stime.Nano())}, nil
}
