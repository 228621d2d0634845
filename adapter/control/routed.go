package control

import "net/http"

// routed answers for routes and methods that there are not in the API's own
// form, instead of the text of package http.
func routed(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := mux.Handler(r); pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		var would verdict
		mux.ServeHTTP(&would, r)
		switch would.status {
		case http.StatusNotFound:
			fail(w, would.status, "no_route", "there is nothing at "+r.URL.EscapedPath())
		case http.StatusMethodNotAllowed:
			allowed := would.Header().Get("Allow")
			w.Header().Set("Allow", allowed)
			fail(w, would.status, "bad_method", r.Method+" is not possible at "+r.URL.EscapedPath()+", but "+allowed)
		default:
			mux.ServeHTTP(w, r)
		}
	})
}

// verdict is a ResponseWriter that only keeps how it was.
type verdict struct {
	header http.Header
	status int
}

func (v *verdict) Header() http.Header {
	if v.header == nil {
		v.header = http.Header{}
	}
	return v.header
}

func (v *verdict) WriteHeader(status int) {
	if v.status == 0 {
		v.status = status
	}
}

func (v *verdict) Write(b []byte) (int, error) {
	v.WriteHeader(http.StatusOK)
	return len(b), nil
}
