//go:build !linux

package adapter

func priority() (text, warning string) { return "", "" }
