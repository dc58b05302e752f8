// Package spelling finds the name that a person most likely meant.
package spelling

// Nearest returns the first of the valid names with the least edit distance to
// word. It is near if a third of the word, or two letters, make the difference.
func Nearest(word string, valid []string) (name string, near bool) {
	least := -1
	for _, v := range valid {
		if d := distance(word, v); least < 0 || d < least {
			name, least = v, d
		}
	}
	return name, least >= 0 && least <= max(2, len(word)/3)
}

// distance is Levenshtein's: the fewest insertions, deletions and replacements
// of a byte that turn a into b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
