// A server of Go's net/http that answers each request with what it saw of it: one of the peers of smuggle.py.
package main

import (
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
)

// answer tells method, target and body in hexadecimal digits. A body that cannot be read is no request: the answer lacks Seen.
func answer(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.Header().Set("Seen", "1")
	fmt.Fprintf(w, "%s %s %s", r.Method, r.RequestURI, hex.EncodeToString(body))
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	server := &http.Server{Handler: http.HandlerFunc(answer), ErrorLog: log.New(io.Discard, "", 0)}
	log.Fatal(server.Serve(listener))
}
