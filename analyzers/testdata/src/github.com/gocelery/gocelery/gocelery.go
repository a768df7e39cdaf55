// Package gocelery stands in for the job queue of that name.
package gocelery

type CeleryClient struct{}

func (c *CeleryClient) Register(name string, task interface{}) {}
