package serve_test

import (
	"fmt"

	"cosim/internal/serve"
)

// A server that other machines could reach must be able to tell who calls.
func ExampleNew() {
	_, err := serve.New(serve.Config{IEC104: "0.0.0.0:2404"})
	fmt.Println(err)
	// Output: serve: 0.0.0.0:2404 can be reached from other machines: expected a certificate, its key and a client authority (or an address such as 127.0.0.1:2404)
}
