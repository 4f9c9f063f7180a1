// Package tests holds what crosses packages: every kernel on every driver, the
// shader mutations that must be caught, AMD's compiler, the import graph.
// tests/setup installs the drivers and the shader compiler that they need.
package tests
