// Package mailer sends things for other packages.
package mailer

import (
	"net/http"
	"net/smtp"
)

func Welcome(to string) error { // want Welcome:`sends a mail in mailer.go:\d+`
	return send(to)
}

func send(to string) error {
	return smtp.SendMail("localhost:25", nil, "from@example.org", []string{to}, nil)
}

func Look(url string) (*http.Response, error) {
	return http.Get(url)
}
