// OPA's own command, built from its Go module: the peer that `report` measures is this, unchanged.
package main

import (
	"os"

	"github.com/open-policy-agent/opa/cmd"
)

func main() {
	if cmd.RootCommand.Execute() != nil {
		os.Exit(1)
	}
}
