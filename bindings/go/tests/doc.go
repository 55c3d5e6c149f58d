// Package tests is the tests of the package multispool that need modules which its users should not
// have to fetch: random operations against a model, a look for goroutines that leak; and that the
// package builds as it says, and no other way.
package tests
