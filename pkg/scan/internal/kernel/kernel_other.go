//go:build !amd64 || purego

package kernel

func native() []*Kernel { return nil }
