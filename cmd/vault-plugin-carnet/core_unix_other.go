//go:build unix && !linux

package main

func forbidReading() error { return nil }
