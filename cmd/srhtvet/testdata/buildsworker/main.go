// Command worker has the shape of builds.sr.ht's worker, in words of its own: gocelery on Redis, SIGINT alone, and a row of the database that
// says how each job stands.
package main

import (
	"database/sql"
	"log"
	"os"
	"os/signal"

	"github.com/gocelery/gocelery"
)

func main() {
	db, err := sql.Open("postgres", os.Getenv("BUILDS_DATABASE"))
	if err != nil {
		log.Fatal(err)
	}
	redis := os.Getenv("BUILDS_REDIS")
	client, err := gocelery.NewCeleryClient(gocelery.NewRedisCeleryBroker(redis), gocelery.NewRedisCeleryBackend(redis), 4)
	if err != nil {
		log.Fatal(err)
	}
	w := &worker{db: db}
	client.Register("buildsrht.runner.run_build_manifest", w.build)
	client.StartWorker()

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt)
	<-stop
	client.StopWorker()
}
