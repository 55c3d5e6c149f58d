package tests

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// program is a module of a user's: its go.mod names our package and the oldest Go that works.
func program(t *testing.T, source string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	library, err := filepath.Abs("..")
	must(t, err)
	module, err := os.ReadFile(filepath.Join(library, "go.mod"))
	must(t, err)
	_, oldest, found := strings.Cut(string(module), "\ngo ")
	if !found {
		t.Fatalf("no Go version in %s", module)
	}
	must(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module user\n\ngo "+strings.TrimSpace(oldest)+
		"\n\nrequire multispool.dev/multispool v0.1.0\n\nreplace multispool.dev/multispool => "+library+"\n"), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte(source), 0o600))
	return dir
}

const hello = `package main

import (
	"fmt"
	"multispool.dev/multispool"
)

func main() { fmt.Println(multispool.LibraryVersion()) }
`

// run is what a command in that directory prints, and whether it ended well.
func run(dir string, environment []string, command ...string) (out string, err error) {
	c := exec.Command(command[0], command[1:]...)
	c.Dir = dir
	c.Env = append(os.Environ(), environment...)
	text, err := c.CombinedOutput()
	return string(text), err
}

func TestWithoutCgoTheCompilerSaysWhatToDo(t *testing.T) {
	out, err := run(program(t, hello), []string{"CGO_ENABLED=0"}, "go", "build", ".")
	if err == nil || !strings.Contains(out, "multispool_needs_cgo_and_a_C_compiler_set_CGO_ENABLED_to_1") {
		t.Errorf("the build ended with %v and says\n%s", err, out)
	}
}

func TestTheTagForStaticLinkingLeavesNoLibraryToInstall(t *testing.T) {
	dir := program(t, hello)
	for _, c := range []struct {
		tags string
		want bool
	}{{"", true}, {"multispool_static", false}} {
		out, err := run(dir, nil, "go", "build", "-tags", c.tags, "-o", "program", ".")
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		needed, err := run(dir, nil, "ldd", "./program")
		if err != nil {
			t.Fatalf("%v\n%s", err, needed)
		}
		if strings.Contains(needed, "libmultispool") != c.want {
			t.Errorf("with the tag %q the program needs\n%s", c.tags, needed)
		}
		// Where no library is installed, only the static one runs.
		_, err = run(dir, []string{"LD_LIBRARY_PATH="}, "./program")
		if (err != nil) != c.want {
			t.Errorf("with the tag %q, and no library installed: %v", c.tags, err)
		}
	}
}

// TestNothingNewerIsUsedThanGoModSays: the compiler holds the package to the language of go.mod's
// version, and vet to its standard library. Each is shown to notice.
func TestNothingNewerIsUsedThanGoModSays(t *testing.T) {
	out, err := run("..", []string{"GOTOOLCHAIN=local"}, "go", "vet", "./...")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, c := range map[string]struct{ source, want string }{
		"a newer library": {`package main

import "sync"

func main() {
	var all sync.WaitGroup
	all.Go(func() {})
	all.Wait()
}
`, "requires go1.25"},
		"a newer language": {`package main

func main() {
	p := new(1)
	_ = p
}
`, "requires go1.26"},
	} {
		out, err := run(program(t, c.source), []string{"GOTOOLCHAIN=local"}, "go", "vet", ".")
		if err == nil || !strings.Contains(out, c.want) {
			t.Errorf("%s: vet ended with %v and says\n%s", name, err, out)
		}
	}
}

func TestThePackageNeedsNoOtherModule(t *testing.T) {
	out, err := run("..", nil, "go", "list", "-m", "all")
	if err != nil || out != "multispool.dev/multispool\n" {
		t.Errorf("%v\n%s", err, out)
	}
}
