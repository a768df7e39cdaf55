// Package handlers has one of each that handlers.Analyzer finds, and what looks like one.
package handlers

import (
	"context"
	"net/http"

	work "git.sr.ht/~sircmpwn/dowork"
	"github.com/gin-gonic/gin"
	"github.com/gocelery/gocelery"
	"github.com/gofiber/fiber/v2"
	"github.com/hibiken/asynq"
	"github.com/julienschmidt/httprouter"
	"github.com/labstack/echo/v4"
	"github.com/riverqueue/river"
	"github.com/valyala/fasthttp"
)

type server struct{}

func (server) ServeHTTP(http.ResponseWriter, *http.Request)            {}                         // want `HTTP request: handler server.ServeHTTP\.`
func handle(http.ResponseWriter, *http.Request)                        {}                         // want `HTTP request: handler handle\.`
func routed(http.ResponseWriter, *http.Request, httprouter.Params)     {}                         // want `HTTP request: handler routed\.`
func ofGin(*gin.Context)                                               {}                         // want `HTTP request: handler ofGin\.`
func ofEcho(echo.Context) error                                        { return nil }             // want `HTTP request: handler ofEcho\.`
func (server) Strict(echo.Context, struct{ ID int }) (struct{}, error) { return struct{}{}, nil } // want `HTTP request: handler server.Strict\.`
func ofFiber(*fiber.Ctx) error                                         { return nil }             // want `HTTP request: handler ofFiber\.`
func ofFasthttp(*fasthttp.RequestCtx)                                  {}                         // want `HTTP request: handler ofFasthttp\.`
func middleware(w http.ResponseWriter)                                 {}
func fromGin(c *gin.Context) string                                    { return "" }

var literal = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}) // want `HTTP request: the function literal that handles HTTP requests\.`

type Resolver struct{}

type queryResolver struct{ *Resolver }

func (r *queryResolver) Me(ctx context.Context) (string, error) { return "", nil } // want `GraphQL request: handler \(\*queryResolver\).Me, cancels\.`
func (r *queryResolver) name(ctx context.Context) string        { return "" }
func (r *Resolver) Me(ctx context.Context) (string, error)      { return "", nil }

type UnimplementedGreeterServer struct{}

type greeter struct{ UnimplementedGreeterServer }

func (greeter) Greet(ctx context.Context, in *struct{}) (*struct{}, error) { return nil, nil } // want `gRPC request: handler greeter.Greet, cancels\.`

type session struct{}

func (session) Mail(from string) error { return nil } // want `mail: handler session.Mail\.`
func (session) Rcpt(to string) error   { return nil } // want `mail: handler session.Rcpt\.`
func (session) Data() error            { return nil } // want `mail: handler session.Data\.`
func (session) Reset()                 {}
func (session) Logout() error          { return nil }

type args struct{}

func (args) Kind() string { return "" }

type worker struct{}

func (worker) Work(ctx context.Context, job *river.Job[args]) error { return nil } // want `job: handler worker.Work, cancels\.`

type processor struct{}

func (processor) ProcessTask(ctx context.Context, t *asynq.Task) error { return nil } // want `job: handler processor.ProcessTask, cancels\.`

type celery struct{}

func (celery) ParseKwargs(map[string]interface{}) error { return nil }
func (celery) RunTask() (interface{}, error)            { return nil, nil } // want `job: handler celery.RunTask\.`

func byRiver(ctx context.Context, job *river.Job[args]) error { return nil } // want `job: handler byRiver, cancels\.`
func byAsynq(ctx context.Context, t *asynq.Task) error        { return nil } // want `job: handler byAsynq, cancels\.`
func byMux(ctx context.Context, t *asynq.Task) error          { return nil } // want `job: handler byMux, cancels\.`
func byDowork(ctx context.Context) error                      { return nil } // want `job: handler byDowork\.`
func byCelery(id int) int                                     { return id }  // want `job: handler byCelery\.`
func byNobody(ctx context.Context, t *asynq.Task) error       { return nil }

func register(mux *asynq.ServeMux, q *work.Queue, client *gocelery.CeleryClient) {
	river.WorkFunc(byRiver)
	river.WorkFunc(func(ctx context.Context, job *river.Job[args]) error { return nil }) // want `job: the function literal in register that handles jobs, cancels\.`
	mux.Handle("a", asynq.HandlerFunc(byAsynq))
	mux.Handle("b", asynq.HandlerFunc(func(ctx context.Context, t *asynq.Task) error { return nil })) // want `job: the function literal in register that handles jobs, cancels\.`
	mux.HandleFunc("c", byMux)
	work.NewTask(byDowork)
	q.Submit(func(ctx context.Context) error { return nil }) // want `job: the function literal in register that handles jobs\.`
	client.Register("d", byCelery)
}
