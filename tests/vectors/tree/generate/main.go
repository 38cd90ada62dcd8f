// Verifies proofs of Hansa's state tree with the official ICS-23 module, under its SmtSpec.
//
// Usage: go run . < ../proofs.json > ../verdicts.json
//
// In: {"cases":[{"name","root","key","value","proof"}]}, all values in lower-case hex; key and value are ICS-23's
// (SHA-256 of the state key and of the record); value "" asks for absence. Out: {"module","verdicts":{name:bool}}.
package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"

	ics23 "github.com/cosmos/ics23/go"
)

type testCase struct {
	Name  string `json:"name"`
	Root  string `json:"root"`
	Key   string `json:"key"`
	Value string `json:"value"`
	Proof string `json:"proof"`
}

func main() {
	var input struct {
		Cases []testCase `json:"cases"`
	}
	if err := json.NewDecoder(os.Stdin).Decode(&input); err != nil {
		fail(err)
	}
	verdicts := map[string]bool{}
	for _, c := range input.Cases {
		verdict, err := verify(c)
		if err != nil {
			fail(fmt.Errorf("%s: %w", c.Name, err))
		}
		verdicts[c.Name] = verdict
	}
	output, err := json.MarshalIndent(map[string]any{"module": module(), "verdicts": verdicts}, "", " ")
	if err != nil {
		fail(err)
	}
	fmt.Println(string(output))
}

// verify says what the official module says; a proof that is not even protobuf is a "no".
func verify(c testCase) (bool, error) {
	var fields [4][]byte
	for i, text := range []string{c.Root, c.Key, c.Value, c.Proof} {
		data, err := hex.DecodeString(text)
		if err != nil {
			return false, err
		}
		fields[i] = data
	}
	var proof ics23.CommitmentProof
	if err := proof.Unmarshal(fields[3]); err != nil {
		return false, nil
	}
	if c.Value == "" {
		return ics23.VerifyNonMembership(ics23.SmtSpec, fields[0], &proof, fields[1]), nil
	}
	return ics23.VerifyMembership(ics23.SmtSpec, fields[0], &proof, fields[1], fields[2]), nil
}

// module names the exact version that judged.
func module() string {
	info, ok := debug.ReadBuildInfo()
	if ok {
		for _, dependency := range info.Deps {
			if dependency.Path == "github.com/cosmos/ics23/go" {
				return dependency.Path + " " + dependency.Version
			}
		}
	}
	return "unknown"
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
