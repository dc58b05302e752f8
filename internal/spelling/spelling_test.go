package spelling

import "testing"

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"kitten", "sitting", 3}, {"duration", "durration", 1}, {"ab", "ba", 2}} {
		if got := distance(c.a, c.b); got != c.want || distance(c.b, c.a) != c.want {
			t.Errorf("distance(%q, %q) = %d, want %d both ways", c.a, c.b, got, c.want)
		}
	}
}

func TestNearest(t *testing.T) {
	valid := []string{"duration", "seed", "steps"}
	if name, near := Nearest("durration", valid); name != "duration" || !near {
		t.Errorf("got %q, %v", name, near)
	}
	if _, near := Nearest("frobnicate", valid); near {
		t.Error("frobnicate is near nothing")
	}
	if name, near := Nearest("x", nil); name != "" || near {
		t.Error("without names none is near")
	}
}
