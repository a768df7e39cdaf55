package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"git.sr.ht/~sourcehut/ha-go/migratecheck/compat"
	"git.sr.ht/~sourcehut/ha-go/migratecheck/verify"
)

// verifyFlag is -verify, or -verify=DSN.
type verifyFlag struct {
	on  bool
	dsn string
}

func (f *verifyFlag) String() string { return "" }

// IsBoolFlag lets the flag stand without a value.
func (f *verifyFlag) IsBoolFlag() bool { return true }

func (f *verifyFlag) Set(value string) error {
	if on, err := strconv.ParseBool(value); err == nil {
		*f = verifyFlag{on: on}
		return nil
	}
	*f = verifyFlag{on: true, dsn: value}
	return nil
}

// prove asks a real server about every service. What one service's history does to the server is that service's error.
func (c *compatRun) prove(services []*compat.Service, version int) (err error) {
	c.inOrder.Lock() // the scratch databases, or the cluster
	defer c.inOrder.Unlock()
	server, err := verify.Open(c.ctx, verify.Config{DSN: c.verify.dsn, Launcher: c.launcher, Version: version})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	for _, s := range services {
		s.Verified, s.VerifyErr = compat.Verify(c.ctx, server, s, c.progress("verifying "+s.Dir))
		if errors.Is(s.VerifyErr, context.Canceled) {
			return s.VerifyErr
		}
	}
	return nil
}

// progress shows how far long work has got, on a terminal only; nil elsewhere.
func (c *compatRun) progress(what string) func(done, total int) {
	if c.quiet || !isTerminal(c.stderr) {
		return nil
	}
	return func(done, total int) {
		fmt.Fprintf(c.stderr, "\r%s: %d of %d query sites", what, done, total)
		if done == total {
			fmt.Fprint(c.stderr, "\r\x1b[K")
		}
	}
}
