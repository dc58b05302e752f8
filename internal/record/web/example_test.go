package web_test

import (
	"fmt"
	"net/http/httptest"

	"cosim/internal/record/web"
)

func Example() {
	answer := httptest.NewRecorder()
	web.Assets().ServeHTTP(answer, httptest.NewRequest("GET", "/", nil))
	fmt.Println(answer.Code, answer.Header().Get("Content-Type"))
	fmt.Println(answer.Header().Get("X-Content-Type-Options"))
	// Output:
	// 200 text/html; charset=utf-8
	// nosniff
}
