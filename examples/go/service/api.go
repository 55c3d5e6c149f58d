package main

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"multispool.dev/multispool"
)

// api answers the requests.
type api struct {
	spool *multispool.Typed[Job, []byte]
	// limit is how many bytes an upload may have.
	limit int64
}

func (a *api) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /jobs", a.post)
	mux.HandleFunc("PUT /jobs/{id}", a.put)
	mux.HandleFunc("GET /jobs/{id}", a.get)
	mux.HandleFunc("DELETE /jobs/{id}", a.forget)
	mux.HandleFunc("GET /stats", a.stats)
	return mux
}

// answer is the body of most answers.
type answer struct {
	ID    string `json:"id,omitempty"`
	State string `json:"state,omitempty"`
	Job   *Job   `json:"job,omitempty"`
	Error string `json:"error,omitempty"`
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		slog.Warn("the client is gone", "error", err)
	}
}

// refuse answers with an error.
func refuse(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	var tooLarge *http.MaxBytesError
	switch {
	case errors.Is(err, errUnknown), errors.Is(err, multispool.ErrNotFound):
		status = http.StatusNotFound
	case errors.Is(err, multispool.ErrInvalidName):
		status = http.StatusBadRequest
	case errors.As(err, &tooLarge):
		status = http.StatusRequestEntityTooLarge
	case errors.Is(err, multispool.ErrNoSpace):
		status = http.StatusInsufficientStorage
	}
	slog.Error("refused", "status", status, "error", err)
	reply(w, status, answer{Error: err.Error()})
}

// take enqueues an upload. If the connection breaks off, nothing is enqueued.
func (a *api) take(w http.ResponseWriter, r *http.Request, options ...multispool.EnqueueOption) (*multispool.TypedEntry[Job, []byte], error) {
	job := Job{ContentType: r.Header.Get("Content-Type"), Received: time.Now().UTC()}
	return a.spool.EnqueueReader(uploads, job, http.MaxBytesReader(w, r.Body, a.limit), options...)
}

func accepted(w http.ResponseWriter, id string) {
	w.Header().Set("Location", "/jobs/"+id)
	reply(w, http.StatusAccepted, answer{ID: id, State: uploads})
}

func (a *api) post(w http.ResponseWriter, r *http.Request) {
	entry, err := a.take(w, r)
	if err != nil {
		refuse(w, err)
		return
	}
	accepted(w, entry.Name())
}

// put may be repeated: an upload that is there already is not taken again.
func (a *api) put(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if err := a.spool.ReserveName(id); err != nil && !errors.Is(err, multispool.ErrNameTaken) {
		refuse(w, err)
		return
	}
	_, err := a.take(w, r, multispool.WithName(id))
	if errors.Is(err, multispool.ErrNameTaken) {
		// By an upload that is whole, or by one that another request is still sending.
		var whole bool
		if whole, err = isWhole(a.spool, id); !whole && err == nil {
			w.Header().Set("Retry-After", "1")
			reply(w, http.StatusConflict, answer{ID: id, Error: "another request is sending it: try again"})
			return
		}
	}
	if err != nil {
		refuse(w, err)
		return
	}
	accepted(w, id)
}

func (a *api) get(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	job, queue, err := find(a.spool, id)
	if err != nil {
		refuse(w, err)
		return
	}
	status := http.StatusOK
	if queue == uploads {
		status = http.StatusAccepted
	}
	reply(w, status, answer{ID: id, State: queue, Job: &job})
}

// forget removes what is done, or has failed.
func (a *api) forget(w http.ResponseWriter, r *http.Request) {
	for _, queue := range []string{done, failed} {
		entry, err := a.spool.Entry(queue, r.PathValue("id"))
		if err != nil {
			refuse(w, err)
			return
		}
		// Not Direct().Remove(): two requests at once would be one too many.
		err = entry.Entry.TryWithEntry(func(*multispool.Checkout) (multispool.Outcome, error) {
			return multispool.Remove(), nil
		})
		if errors.Is(err, multispool.ErrNotFound) {
			continue
		}
		if err != nil {
			refuse(w, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
		return
	}
	refuse(w, errUnknown)
}

func (a *api) stats(w http.ResponseWriter, _ *http.Request) {
	stats, err := a.spool.Stats()
	if err != nil {
		refuse(w, err)
		return
	}
	reply(w, http.StatusOK, stats)
}

// logged logs each request with its status and its time.
func logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		noting := &statusNoter{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(noting, r)
		slog.Info("request", "method", r.Method, "path", r.URL.Path, "status", noting.status, "ms", time.Since(began).Milliseconds())
	})
}

// statusNoter keeps the status of an answer.
type statusNoter struct {
	http.ResponseWriter
	status int
}

func (n *statusNoter) WriteHeader(status int) {
	n.status = status
	n.ResponseWriter.WriteHeader(status)
}

// Unwrap lets the standard library find the writer below.
func (n *statusNoter) Unwrap() http.ResponseWriter { return n.ResponseWriter }
