// Package strict has handlers of echo, of a server that oapi-codegen generates for it, of httprouter and of fasthttp.
package strict

import (
	"context"
	"net/http"

	"github.com/julienschmidt/httprouter"
	"github.com/labstack/echo/v4"
	"github.com/valyala/fasthttp"
)

type mailer interface {
	SendInvite(ctx context.Context, to string) error
}

type service struct{ mail mailer }

type (
	request  struct{ To string }
	response interface {
		Visit(http.ResponseWriter) error
	}
)

func (s *service) Invite(ctx echo.Context, req request) (response, error) { // want Invite:`acts by .*SendInvite`
	go s.mail.SendInvite(ctx.Request().Context(), req.To) // want `is given the context of the HTTP request` `unwaited-goroutine`
	return nil, s.mail.SendInvite(ctx.Request().Context(), req.To)
}

func (s *service) Plain(ctx echo.Context) error {
	go func() { // want `unwaited-goroutine`
		s.mail.SendInvite(context.WithoutCancel(ctx.Request().Context()), "")
	}()
	return ctx.NoContent(204)
}

func (s *service) helper(ctx echo.Context, to string) error { // no handler: one result
	go s.mail.SendInvite(context.Background(), to)
	return nil
}

func (s *service) routed(w http.ResponseWriter, r *http.Request, ps httprouter.Params) {
	go s.mail.SendInvite(context.Background(), "") // want `unwaited-goroutine`
}

func (s *service) fast(ctx *fasthttp.RequestCtx) {
	go s.mail.SendInvite(context.Background(), "") // want `unwaited-goroutine`
}
