import svelte from 'eslint-plugin-svelte';
import ts from 'typescript-eslint';

/** Rules that find bugs; style belongs to Prettier, architecture to dev/scripts/check/imports.ts. */
const bugRules = {
  '@typescript-eslint/no-floating-promises': 'error',
  '@typescript-eslint/no-misused-promises': 'error',
  '@typescript-eslint/await-thenable': 'error',
  '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
  '@typescript-eslint/only-throw-error': 'error',
  '@typescript-eslint/no-explicit-any': 'error',
  '@typescript-eslint/no-unused-vars': [
    'error',
    { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'none', ignoreRestSiblings: true },
  ],
};

export default ts.config(
  {
    ignores: [
      '**/node_modules/',
      '**/build/',
      '**/dist/',
      '**/.svelte-kit/',
      '**/generated/',
      '.ec/',
      '**/*.mjs',
      '**/*.js',
    ],
  },
  {
    files: ['**/*.ts'],
    ignores: ['supabase/functions/**'],
    languageOptions: {
      parser: ts.parser,
      parserOptions: { projectService: true, extraFileExtensions: ['.svelte'] },
    },
    plugins: { '@typescript-eslint': ts.plugin },
    rules: bugRules,
  },
  {
    // Deno resolves functions itself; for the linter their bare imports are found in the root node_modules.
    files: ['supabase/functions/**/*.ts'],
    languageOptions: {
      parser: ts.parser,
      parserOptions: { project: './dev/scripts/check/tsconfig.functions.json' },
    },
    plugins: { '@typescript-eslint': ts.plugin },
    rules: bugRules,
  },
  ...svelte.configs.recommended,
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: {
      parserOptions: { parser: ts.parser, projectService: true, extraFileExtensions: ['.svelte'] },
    },
    plugins: { '@typescript-eslint': ts.plugin },
    rules: {
      ...bugRules,
      'svelte/no-at-html-tags': 'error',
      // The app is always served from the root, so plain paths are right.
      'svelte/no-navigation-without-resolve': 'off',
      // Maps and sets that no template reads need no reactivity; the rule cannot tell them apart.
      'svelte/prefer-svelte-reactivity': 'off',
    },
  },
);
