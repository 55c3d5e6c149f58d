package main

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"multispool.dev/multispool"
)

var client = &http.Client{Timeout: 30 * time.Second}

// ask makes a request, and reads the answer.
func ask(method, url string, body io.Reader) (status int, a answer, err error) {
	request, err := http.NewRequest(method, url, body)
	if err != nil {
		return 0, a, err
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, a, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusNoContent {
		err = json.NewDecoder(response.Body).Decode(&a)
	}
	return response.StatusCode, a, err
}

// upload is a body of its own for each number, of up to a few hundred kilobytes.
func upload(number int) string {
	return strings.Repeat(fmt.Sprintf("upload %d\n", number), 1+number*number%20_000)
}

// persist repeats a request until it has this status.
func persist(t *testing.T, method, url string, body func() io.Reader, want int) answer {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(5 * time.Millisecond) {
		status, a, err := ask(method, url, body())
		if err == nil && status == want {
			return a
		}
		if time.Now().After(deadline) {
			t.Errorf("%s %s: %d, %v", method, url, status, err)
			return a
		}
	}
}

func none() io.Reader { return nil }

// wantResult waits until a job is done, and compares its result.
func wantResult(t *testing.T, url, id string, number int) {
	t.Helper()
	a := persist(t, "GET", url+"/jobs/"+id, none, http.StatusOK)
	body := upload(number)
	want := Result{fmt.Sprintf("%x", sha256.Sum256([]byte(body))), int64(len(body)), int64(strings.Count(body, "\n"))}
	if a.State != done || a.Job == nil || a.Job.Result == nil || *a.Job.Result != want {
		t.Errorf("%s is %+v, want %+v", id, a.Job, want)
	}
}

func TestWhatWasAcceptedIsDoneThoughTheServiceIsKilledUnderLoad(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	service := start(t, dir, "127.0.0.1:0")
	const clients, each = 12, 20
	var accepted atomic.Int64
	milestones := map[int64]chan struct{}{60: make(chan struct{}), 150: make(chan struct{})}
	accept := func() {
		if reached := milestones[accepted.Add(1)]; reached != nil {
			close(reached)
		}
	}
	url := service.url
	var all sync.WaitGroup
	for c := range clients {
		all.Add(1)
		go func() { // each under ids of its own, repeated until answered
			defer all.Done()
			for i := range each {
				number := c*each + i
				body := func() io.Reader { return strings.NewReader(upload(number)) }
				persist(t, "PUT", fmt.Sprintf("%s/jobs/put-%d", url, number), body, http.StatusAccepted)
				accept()
			}
		}()
	}
	type posted struct {
		id     string
		number int
	}
	var mu sync.Mutex
	var posts []posted
	unanswered := 0
	finished := make(chan struct{})
	all.Add(1)
	go func() { // not repeated: whether one without an answer was accepted nobody knows
		defer all.Done()
		for number := 0; ; number++ {
			select {
			case <-finished:
				return
			case <-time.After(time.Millisecond):
			}
			status, a, err := ask("POST", url+"/jobs", strings.NewReader(upload(number)))
			mu.Lock()
			if err == nil && status == http.StatusAccepted {
				posts = append(posts, posted{a.ID, number})
			} else {
				unanswered++
			}
			mu.Unlock()
		}
	}()
	for _, milestone := range []int64{60, 150} {
		<-milestones[milestone]
		must(t, service.Process.Kill())
		if err := service.wait(t); err == nil {
			t.Fatal("it was not killed")
		}
		service = start(t, dir, strings.TrimPrefix(url, "http://"))
	}
	for deadline := time.Now().Add(2 * time.Minute); accepted.Load() < clients*each && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	close(finished)
	all.Wait()

	for number := range clients * each {
		wantResult(t, url, fmt.Sprintf("put-%d", number), number)
	}
	for _, p := range posts {
		wantResult(t, url, p.id, p.number)
	}
	must(t, service.Process.Signal(syscall.SIGTERM))
	must(t, service.wait(t))

	spool, err := jobs.Load(dir)
	must(t, err)
	defer spool.Close()
	stats, err := spool.Stats()
	must(t, err)
	certain := clients*each + len(posts)
	for _, queue := range stats.Queues {
		count, checkedOut := int(queue.Entries), queue.CheckedOutAlive+queue.CheckedOutDead
		switch {
		case checkedOut != 0, queue.Queue == failed && count != 0:
			t.Errorf("left: %+v", queue)
		case queue.Queue == done && (count < certain || count > certain+unanswered):
			t.Errorf("%d are done, want %d and at most %d that got no answer", count, certain, unanswered)
		}
	}
	problems, err := spool.Problems(nil)
	must(t, err)
	for _, problem := range problems {
		if problem.Severity != multispool.SeverityGarbage {
			t.Error(problem)
		}
	}
	t.Logf("%d uploads repeated until answered, %d answered at once, %d without an answer", clients*each, len(posts), unanswered)
}

func TestAServiceThatIsToldToEndAnswersWhatItHasAndEndsWithStatusZero(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		dir := filepath.Join(t.TempDir(), "spool")
		service := start(t, dir, "127.0.0.1:0")
		body, rest := io.Pipe()
		type result struct {
			status int
			answer answer
			err    error
		}
		answered := make(chan result, 1)
		go func() {
			status, a, err := ask("PUT", service.url+"/jobs/a", body)
			answered <- result{status, a, err}
		}()
		half := upload(100)
		_, err := io.WriteString(rest, half[:len(half)/2])
		must(t, err)
		persist(t, "GET", service.url+"/jobs/a", none, http.StatusAccepted) // it has come to the service
		must(t, service.Process.Signal(signal))
		<-service.ending
		_, err = io.WriteString(rest, half[len(half)/2:])
		must(t, err)
		must(t, rest.Close())
		got := <-answered
		if got.err != nil || got.status != http.StatusAccepted {
			t.Fatalf("answered with %d: %v", got.status, got.err)
		}
		must(t, service.wait(t))
		again := start(t, dir, "127.0.0.1:0")
		wantResult(t, again.url, got.answer.ID, 100)
		must(t, again.Process.Signal(signal))
		must(t, again.wait(t))
	}
}

func TestRequestsHaveTheAnswerThatTheyDeserve(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	service := start(t, dir, "127.0.0.1:0", "-limit", "1000000")
	for _, c := range []struct {
		method, path, body string
		want               int
	}{
		{"PUT", "/jobs/a", upload(1), http.StatusAccepted},
		{"PUT", "/jobs/a", upload(1), http.StatusAccepted},
		{"PUT", "/jobs/.a", "x", http.StatusBadRequest},
		{"PUT", "/jobs/" + strings.Repeat("a", 245), "x", http.StatusBadRequest},
		{"PUT", "/jobs/large", strings.Repeat("x", 1000001), http.StatusRequestEntityTooLarge},
		{"POST", "/jobs", "", http.StatusAccepted},
		{"GET", "/jobs/none", "", http.StatusNotFound},
		{"DELETE", "/jobs/none", "", http.StatusNotFound},
		{"GET", "/stats", "", http.StatusOK},
	} {
		status, _, err := ask(c.method, service.url+c.path, strings.NewReader(c.body))
		if err != nil || status != c.want {
			t.Errorf("%s %.20s: %d, %v, want %d", c.method, c.path, status, err, c.want)
		}
	}
	wantResult(t, service.url, "a", 1)
	status, _, err := ask("DELETE", service.url+"/jobs/a", nil)
	if err != nil || status != http.StatusNoContent {
		t.Errorf("forget: %d, %v", status, err)
	}
	persist(t, "GET", service.url+"/jobs/a", none, http.StatusNotFound)
}

func TestAnUploadThatBreaksOffIsNotTakenAndMayBeRepeated(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	service := start(t, dir, "127.0.0.1:0")
	body, rest := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		_, _, err := ask("PUT", service.url+"/jobs/a", body)
		ended <- err
	}()
	_, err := io.WriteString(rest, "the first half")
	must(t, err)
	// While it is being sent, the id is known, and nobody else gets it.
	persist(t, "GET", service.url+"/jobs/a", none, http.StatusAccepted)
	persist(t, "PUT", service.url+"/jobs/a", func() io.Reader { return strings.NewReader("other") }, http.StatusConflict)
	broken := errors.New("the line is broken")
	rest.CloseWithError(broken)
	if err := <-ended; !errors.Is(err, broken) {
		t.Fatal(err)
	}
	persist(t, "PUT", service.url+"/jobs/a", func() io.Reader { return strings.NewReader(upload(3)) }, http.StatusAccepted)
	wantResult(t, service.url, "a", 3)
}

func TestAJobThatFailsIsTriedAgainAndThenGivenUp(t *testing.T) {
	spool, err := jobs.Create(filepath.Join(t.TempDir(), "spool"))
	must(t, err)
	defer spool.Close()
	entry, err := spool.Enqueue(uploads, Job{ContentType: "text/plain"}, nil)
	must(t, err)
	broken := errors.New("no paper")
	decide := func(checkout *multispool.Checkout) (multispool.Outcome, error) {
		return failedIn(spool)(checkout, broken), nil
	}
	for range enough {
		must(t, entry.Entry.WithEntry(decide))
	}
	job, queue, err := find(spool, entry.Name())
	must(t, err)
	if queue != failed || job.Attempts != enough || job.Error != "no paper" || job.ContentType != "text/plain" {
		t.Errorf("it is %+v in %s", job, queue)
	}
	wrong, err := spool.Spool.Enqueue(uploads, []byte("no JSON"), nil)
	must(t, err)
	must(t, wrong.WithEntry(decide))
	moved, err := spool.Spool.Entry(failed, wrong.Name())
	must(t, err)
	if _, err := moved.Direct().Contents(); err != nil {
		t.Error(err)
	}
}

func TestWrongUsageAndFailuresHaveTheirStatus(t *testing.T) {
	program, err := build()
	must(t, err)
	for want, arguments := range map[int][]string{1: {"/dev/null"}, 2: {"-goroutines", "0", t.TempDir()}} {
		running := exec.Command(program, arguments...)
		_ = running.Run()
		if got := running.ProcessState.ExitCode(); got != want {
			t.Errorf("%q ends with %d, want %d", arguments, got, want)
		}
	}
}
