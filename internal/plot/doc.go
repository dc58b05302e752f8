// Package plot draws quantities over time for reading on paper: traces with
// labels, axes with units, shaded spans, marked points. A [Figure] becomes PNG
// or SVG; the same figure gives the same bytes.
//
// Colours are those of Okabe and Ito (Color Universal Design, 2008), which
// people with any common colour blindness tell apart; when they run out, dash
// patterns go on, so that a copy in grey stays readable too.
package plot
