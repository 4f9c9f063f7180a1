package main

import (
	"context"
	"errors"
)

func (p *program) show(ctx context.Context) error { return errors.New("no window yet") }
