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

// One set of options for all files: with different ones the type service starts anew at each change of kind.
const types = {
  // The entry points of functions are Deno's own; `deno check` has their types.
  projectService: { allowDefaultProject: ['supabase/functions/*/index.ts'] },
  extraFileExtensions: ['.svelte'],
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
      '**/.peers/',
      '**/*.mjs',
      '**/*.js',
    ],
  },
  {
    files: ['**/*.ts'],
    languageOptions: {
      parser: ts.parser,
      parserOptions: types,
    },
    plugins: { '@typescript-eslint': ts.plugin },
    rules: bugRules,
  },
  ...svelte.configs.recommended,
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: {
      parserOptions: { parser: ts.parser, ...types },
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
