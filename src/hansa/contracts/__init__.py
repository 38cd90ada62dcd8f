"""System contracts that every league has: members, accounts, permissions, governance, holds, quotas."""
