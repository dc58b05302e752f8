package experiment

import "reflect"

// ReadDocument decodes YAML of another kind than an experiment into the struct
// that into points to, as strictly as an experiment's. What has the right
// shape is decoded in spite of the mistakes, so that the caller can add its
// own. Place tells where the value of a path ("sample.n") stands.
func ReadDocument(file string, data []byte, into any) (place func(path string) Position, mistakes Mistakes) {
	places := positions{"": {File: file}}
	s, err := parseSource(file, data)
	if err != nil {
		return places.find, err.(Mistakes) // of parseSource always
	}
	if s.root == nil {
		return places.find, nil
	}
	t := reflect.TypeOf(into)
	if mistakes = checkShape(file, s.root, t); len(mistakes) > 0 {
		prune(s.root, t.Elem())
	}
	all := newLayered()
	all.lay(s)
	places.enter(all, "", s.root)
	if err := s.root.Decode(into); err != nil {
		mistakes = append(mistakes, &Mistake{s.start(), err.Error()})
	}
	return places.find, mistakes
}
