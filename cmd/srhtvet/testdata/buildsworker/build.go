package main

import (
	"database/sql"
	"fmt"
	"log"
	"net/http"
	"os/exec"
)

type worker struct{ db *sql.DB }

// build boots a machine, and returns when the job has ended.
func (w *worker) build(id int, manifest map[string]any) {
	w.status(id, "running")
	port := 20000 + id%10000
	if err := exec.Command("control", "boot", fmt.Sprint(port)).Run(); err != nil {
		w.status(id, "failed")
		return
	}
	for range manifest {
		if err := exec.Command("ssh", "-p", fmt.Sprint(port), "build@localhost").Run(); err != nil {
			log.Print(err)
		}
	}
	w.status(id, "success")
	go w.notify(id)
}

func (w *worker) status(id int, status string) {
	w.db.Exec(`UPDATE job SET status = $1, updated = now() WHERE id = $2`, status, id)
}

func (w *worker) notify(id int) {
	resp, err := http.Post(fmt.Sprintf("http://builds.example.org/hooks/%d", id), "application/json", nil)
	if err != nil {
		log.Print(err)
		return
	}
	resp.Body.Close()
}
