package etsi014

// Status is the answer to status (clause 6.1). Sizes are in bits.
type Status struct {
	SourceKME      string `json:"source_KME_ID"`
	TargetKME      string `json:"target_KME_ID"`
	MasterSAE      string `json:"master_SAE_ID"`
	SlaveSAE       string `json:"slave_SAE_ID"`
	KeySize        int    `json:"key_size"` // unless the request says otherwise
	StoredKeys     int64  `json:"stored_key_count"`
	MaxKeys        int64  `json:"max_key_count"`
	MaxPerRequest  int    `json:"max_key_per_request"`
	MaxKeySize     int    `json:"max_key_size"`
	MinKeySize     int    `json:"min_key_size"`
	MaxSAEs        int    `json:"max_SAE_ID_count"` // of additional slaves; 0: none
	StatusExtended any    `json:"status_extension,omitempty"`
}

// Request is the body of POST enc_keys (clause 6.2).
type Request struct {
	Number             *int             `json:"number"`
	Size               *int             `json:"size"`
	AdditionalSlaves   []string         `json:"additional_slave_SAE_IDs"`
	ExtensionMandatory []map[string]any `json:"extension_mandatory"`
	ExtensionOptional  []map[string]any `json:"extension_optional"`
}

// Container is the answer to enc_keys and dec_keys (clause 6.3).
type Container struct {
	Keys []Key `json:"keys"`
}

// Key is one key; encoding/json writes bytes in base64, as the standard asks.
type Key struct {
	ID    string `json:"key_ID"` // UUID
	Bytes []byte `json:"key"`
}

// IDs is the body of POST dec_keys (clause 6.4).
type IDs struct {
	KeyIDs []ID `json:"key_IDs"`
}

// ID names one key.
type ID struct {
	KeyID string `json:"key_ID"`
}

// Failure is the body of an error (clause 6.5).
type Failure struct {
	Message string              `json:"message"`
	Details []map[string]string `json:"details,omitempty"`
}
